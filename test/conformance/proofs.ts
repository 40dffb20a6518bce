/** What the tests proved, as they went: the page is written from it, and from nothing else. */
export type Proof =
  | { readonly type: 'answer'; readonly action: string }
  | { readonly type: 'refusal'; readonly action: string }
  | { readonly type: 'pages'; readonly action: string }
  | { readonly type: 'error'; readonly action: string; readonly error: string; readonly how: string }
  | { readonly type: 'limit'; readonly action: string; readonly member: string; readonly limit: string }
  | { readonly type: 'value'; readonly what: string; readonly why: string }
  /** An error that is none of the model's, whatever the action. */
  | { readonly type: 'request'; readonly error: string; readonly how: string };

export class Proofs {
  readonly #proofs: Proof[] = [];

  add(proof: Proof): void {
    this.#proofs.push(proof);
  }

  of<Type extends Proof['type']>(type: Type): readonly Extract<Proof, { readonly type: Type }>[] {
    // The filter is what the type says.
    return this.#proofs.filter((proof) => proof.type === type) as Extract<Proof, { readonly type: Type }>[];
  }

  has(type: Proof['type'], action: string): boolean {
    return this.#proofs.some((proof) => proof.type === type && 'action' in proof && proof.action === action);
  }

  howOf(action: string, error: string): string | undefined {
    return this.of('error').find((proof) => proof.action === action && proof.error === error)?.how;
  }
}
