interface Position {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly found?: number | null
}

interface Commit {
  readonly groupId: string
  readonly offsets: readonly Position[]
}

interface Split {
  /** Positions that are not where they were at the last commit. */
  readonly moved: readonly Position[]
  /** Committed again, so that the broker does not forget them. */
  readonly stood: readonly Position[]
}

/** Tells new positions from those that are committed again. One commit has one answer, however often it is asked. */
export class Commits {
  readonly #last = new Map<string, { readonly offset: number; readonly found: number | null }>()
  readonly #answers = new WeakMap<object, Split>()

  split(commit: Commit): Split {
    const known = this.#answers.get(commit)
    if (known !== undefined) return known
    const moved: Position[] = []
    const stood: Position[] = []
    for (const position of commit.offsets) {
      const { topic, partition, offset, found = null } = position
      const place = `${commit.groupId} ${topic}/${partition}`
      const last = this.#last.get(place)
      // A partition that was elsewhere meanwhile comes back with what was committed there.
      const before = last !== undefined && last.found === found ? last.offset : found
      if (before === offset) stood.push(position)
      else moved.push(position)
      this.#last.set(place, { offset, found })
    }
    const split = { moved, stood }
    this.#answers.set(commit, split)
    return split
  }
}
