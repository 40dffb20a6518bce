// Nothing is built of it.
