/**
 * Records by names that a client gave, without a prototype: `__proto__` is a name like any other, and nothing is found that was not put
 * there. Not Object.create(null), which the engine keeps as a hash table: what reads it (JSON above all) takes half as long again.
 */

/** Its instances inherit from an object that has nothing and inherits nothing. */
class Bare {
  static {
    // `prototype` of a class cannot be replaced, but what it inherits from can, and what it has can be removed.
    Object.setPrototypeOf(this.prototype, null);
    Reflect.deleteProperty(this.prototype, 'constructor');
    Object.freeze(this.prototype);
  }
}

export function bareRecord<Value>(): Record<string, Value> {
  // Nothing can be read of it but what is put there.
  return new Bare() as Record<string, Value>;
}
