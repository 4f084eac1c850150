interface Position {
  readonly topic: string
  readonly partition: number
  readonly offset: number
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
  readonly #last = new Map<string, number>()
  readonly #answers = new WeakMap<object, Split>()

  split(commit: Commit): Split {
    const known = this.#answers.get(commit)
    if (known !== undefined) return known
    const moved: Position[] = []
    const stood: Position[] = []
    for (const position of commit.offsets) {
      const place = `${commit.groupId} ${position.topic}/${position.partition}`
      if (this.#last.get(place) === position.offset) stood.push(position)
      else moved.push(position)
      this.#last.set(place, position.offset)
    }
    const split = { moved, stood }
    this.#answers.set(commit, split)
    return split
  }
}
