/** What follows from a text alone, for the texts that are asked for again and again: names of keys in a config, and few besides. */

const MAX_REMEMBERED = 1000;

/** `of`, which gives the same for the same text, remembered; what it throws is not. The value is shared: frozen, or never changed. */
export function remembered<Value extends object>(of: (text: string) => Value): (text: string) => Value {
  const known = new Map<string, Value>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const value = of(text);
    // Callers may name what they like: none of it stays for long.
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(text, value);
    return value;
  };
}
