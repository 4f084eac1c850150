import type { Message } from '../message/message.ts'
import type { Outcome } from '../outcome.ts'

/** The messages of a job, by what the inbox knows of them. */
export interface Sorted {
  /** To be handled: each id once. */
  readonly open: readonly Message[]
  /** Done before, in a transaction that is committed. */
  readonly known: readonly Message[]
  /** Of an id that is open already in this very job: done with it. */
  readonly twins: readonly Message[]
}

export function sortMessages(
  messages: readonly Message[],
  ids: readonly string[],
  fresh: ReadonlySet<string>,
): Sorted {
  const taken = new Set<string>()
  const [open, known, twins]: [Message[], Message[], Message[]] = [[], [], []]
  for (const [index, message] of messages.entries()) {
    const id = ids[index] as string
    if (!fresh.has(id)) known.push(message)
    else if (taken.has(id)) twins.push(message)
    else open.push(message)
    taken.add(id)
  }
  return { open, known, twins }
}

/**
 * Whether a handler's transaction is committed. What comes again must not be remembered, and what goes to a dead letter
 * topic must be handled when it is sent back from there.
 */
export function isKept(outcome: Outcome | undefined, messages: number): boolean {
  switch (outcome?.kind) {
    case undefined:
    case 'skip':
      return true
    case 'failed':
      return outcome.failures.length < messages
    case 'retry':
    case 'deadLetter':
    case 'stop':
      return false
  }
}
