import { errorOf } from './choose.ts'
import type { Letter } from './letter.ts'
import type { RedriveReport } from './options.ts'

const sampleSize = 10

type Counted = Pick<
  RedriveReport,
  'read' | 'chosen' | 'sent' | 'withoutTarget' | 'byError' | 'byTarget' | 'byGroup' | 'sample'
>

/** What a job has seen, counted for its report. */
export class Tally {
  read = 0
  sent = 0
  #chosen = 0
  #withoutTarget = 0
  #withoutGroup = 0
  readonly #errors = new Map<string, number>()
  readonly #targets = new Map<string, number>()
  readonly #groups = new Map<string, number>()
  readonly #sample: Letter[] = []

  get chosen(): number {
    return this.#chosen
  }

  get targets(): readonly string[] {
    return [...this.#targets.keys()]
  }

  get groups(): ReadonlySet<string> {
    return new Set(this.#groups.keys())
  }

  get withoutGroup(): number {
    return this.#withoutGroup
  }

  choose(letter: Letter, to: string | undefined): void {
    this.#chosen++
    count(this.#errors, errorOf(letter))
    if (to === undefined) this.#withoutTarget++
    else count(this.#targets, to)
    if (letter.group === undefined) this.#withoutGroup++
    else count(this.#groups, letter.group)
    if (this.#sample.length < sampleSize) this.#sample.push(letter)
  }

  report(): Counted {
    return {
      read: this.read,
      chosen: this.#chosen,
      sent: this.sent,
      withoutTarget: this.#withoutTarget,
      byError: ranked(this.#errors).map(([error, own]) => ({ error, count: own })),
      byTarget: ranked(this.#targets).map(([topic, own]) => ({ topic, count: own })),
      byGroup: ranked(this.#groups).map(([group, own]) => ({ group, count: own })),
      sample: this.#sample,
    }
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function ranked(counts: ReadonlyMap<string, number>): readonly (readonly [string, number])[] {
  return [...counts].toSorted((left, right) => right[1] - left[1])
}
