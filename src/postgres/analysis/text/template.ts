/**
 * A plan without its literals: made once for a text, used for every text that differs in literals only. Holds offsets and columns, never
 * a literal.
 */
import type { SealedLiteral, SealedPlan } from '../../plan.ts';
import { isList, type Edit } from './edits.ts';
import { stringValue, type LiteralSpan, type NormalizedText } from './normalize.ts';
import type { SourceText } from './source-text.ts';

/** A place in any text of the same key: after so many literals, so many UTF-16 units on. */
type Anchor = { readonly literals: number; readonly offset: number };
type SealedSlot = { readonly use: Omit<SealedLiteral, 'value'>; readonly literal: number; readonly negative: boolean };
/** Defaults of rules stay as they are. */
type TemplateEdit = {
  readonly start: Anchor;
  readonly end: Anchor;
  readonly replacement: string | SealedSlot | readonly (string | SealedLiteral)[];
};

export type PlanTemplate = {
  readonly plan: Omit<SealedPlan, 'pieces' | 'piecePlaces'>;
  readonly start: Anchor;
  readonly end: Anchor;
  readonly edits: readonly TemplateEdit[];
};

/** Undefined where an edit does not fall on the literals as this lexer sees them. Edits in order, none overlapping. */
export function makeTemplate(
  plan: SealedPlan,
  source: SourceText,
  normalized: NormalizedText,
  edits: readonly Edit[],
  start: number,
  end: number,
): PlanTemplate | undefined {
  const anchor = (byteOffset: number): Anchor => anchorAt(normalized.literals, source.index(byteOffset));
  const made: TemplateEdit[] = [];
  for (const edit of edits) {
    const replacement = templateReplacement(edit, source, normalized);
    if (replacement === undefined) return undefined;
    made.push({ start: anchor(edit.start), end: anchor(edit.end), replacement });
  }
  const { pieces: _pieces, piecePlaces: _places, ...rest } = plan;
  return { plan: rest, start: anchor(start), end: anchor(end), edits: made };
}

function templateReplacement(
  edit: Edit,
  source: SourceText,
  normalized: NormalizedText,
): TemplateEdit['replacement'] | undefined {
  const { replacement } = edit;
  if (typeof replacement === 'string' || isList(replacement)) return replacement;
  return replacement.isDefault ? [replacement] : slotFor(replacement, source, normalized, edit);
}

function slotFor(
  literal: SealedLiteral,
  source: SourceText,
  { literals }: NormalizedText,
  edit: Edit,
): SealedSlot | undefined {
  const start = source.index(edit.start);
  const end = source.index(edit.end);
  const index = endedBy(literals, end) - 1;
  const span = literals[index];
  if (span?.end !== end || span.start < start) return undefined;
  const sign = source.sql.slice(start, span.start).trim();
  if (sign !== '' && (sign !== '-' || span.kind !== 'integer')) return undefined;
  const { value: _value, ...use } = literal;
  return { use, literal: index, negative: sign === '-' };
}

function anchorAt(literals: readonly LiteralSpan[], index: number): Anchor {
  const before = endedBy(literals, index);
  return { literals: before, offset: index - (literals[before - 1]?.end ?? 0) };
}

/** How many of them end there or before. They stand in order. */
function endedBy(literals: readonly LiteralSpan[], index: number): number {
  let [low, high] = [0, literals.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((literals[middle]?.end ?? Infinity) <= index) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The plan for another text of the same key. */
export function instantiate(template: PlanTemplate, sql: string, { literals }: NormalizedText): SealedPlan {
  const at = ({ literals: count, offset }: Anchor): number =>
    (count === 0 ? 0 : (literals[count - 1]?.end ?? 0)) + offset;
  const filled: (string | SealedLiteral)[] = [];
  const piecePlaces: number[] = [];
  const add = (piece: string | SealedLiteral, from: number): void => {
    if (piece === '') return;
    filled.push(piece);
    piecePlaces.push(from + 1);
  };
  let copied = at(template.start);
  for (const { start, end, replacement } of template.edits) {
    const from = at(start);
    add(sql.slice(copied, from), copied);
    const pieces =
      typeof replacement === 'string'
        ? [replacement]
        : isSlot(replacement)
          ? [fill(replacement, sql, literals)]
          : replacement;
    for (const piece of pieces) add(piece, from);
    copied = at(end);
  }
  add(sql.slice(copied, at(template.end)), copied);
  return { ...template.plan, pieces: filled, piecePlaces };
}

function isSlot(replacement: Exclude<TemplateEdit['replacement'], string>): replacement is SealedSlot {
  return !Array.isArray(replacement);
}

function fill({ use, literal, negative }: SealedSlot, sql: string, literals: readonly LiteralSpan[]): SealedLiteral {
  const span = literals[literal];
  if (span === undefined) throw new TypeError('a template was used for a text of another key');
  const text = span.kind === 'string' ? stringValue(sql, span) : String(Number(sql.slice(span.start, span.end)));
  return { ...use, value: negative ? `-${text}` : text };
}
