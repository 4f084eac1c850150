/**
 * What clients did and saw, and what of it cannot be: the judge of the chaos runs.
 *
 * Values are unique. Transactions are not part of it yet, so neither are aborted and precommitted reads, split
 * transactions and cycles, which need them.
 */

export type HistoryEvent =
  /** A send began. */
  | {
      readonly e: 'send'
      readonly producer: string
      readonly partition: number
      readonly value: string
    }
  /** It was acknowledged at this offset. */
  | {
      readonly e: 'sent'
      readonly value: string
      readonly partition: number
      readonly offset: number
    }
  /** It will never be in the log, as far as its producer knows. A send without either has an unknown outcome. */
  | { readonly e: 'failed'; readonly value: string }
  /** A consumer got a partition and begins there; a tenure ends with the next of its partition by that consumer. */
  | {
      readonly e: 'assigned'
      readonly tenure: string
      readonly partition: number
      readonly from: number
    }
  | {
      readonly e: 'poll'
      readonly tenure: string
      readonly partition: number
      readonly offset: number
      readonly value: string
    }
  /** A commit was acknowledged: the next offset to be read. */
  | {
      readonly e: 'committed'
      readonly group: string
      readonly partition: number
      readonly offset: number
    }

/** What a reader without a group found when everything was over. */
export interface FinalState {
  /** Values by offset, in order, of each partition. */
  readonly logs: ReadonlyMap<number, readonly { readonly offset: number; readonly value: string }[]>
  /** Committed offsets by group, then partition. */
  readonly committed: ReadonlyMap<string, ReadonlyMap<number, number>>
}

export type AnomalyKind =
  | 'inconsistent offset'
  | 'lost write'
  | 'duplicate'
  | 'phantom write'
  | 'poll skip'
  | 'never polled'
  | 'non-monotonic poll'
  | 'non-monotonic send'
  | 'commit went back'
  | 'stale start'

export interface Anomaly {
  readonly kind: AnomalyKind
  readonly about: string
}

/** Everything that cannot be when acknowledged means written, once, in order. Empty for a sound history. */
export function checkHistory(
  history: readonly HistoryEvent[],
  { logs, committed }: FinalState,
): readonly Anomaly[] {
  const anomalies: Anomaly[] = []
  const found = (kind: AnomalyKind, about: string): void => void anomalies.push({ kind, about })

  const placeByValue = new Map<string, string>()
  const valueByPlace = new Map<string, string>()
  for (const [partition, records] of logs) {
    for (const { offset, value } of records) {
      const place = placeOf(partition, offset)
      const other = placeByValue.get(value)
      if (other !== undefined) found('duplicate', `${value} at ${other} and ${place}`)
      placeByValue.set(value, place)
      valueByPlace.set(place, value)
    }
  }

  const sendByValue = new Map<string, { readonly producer: string; readonly nth: number }>()
  const newestSent = new Map<string, { readonly nth: number; readonly offset: number }>()
  const committedSoFar = new Map<string, number>()
  const lastPolled = new Map<string, number>()
  const polled = new Set<string>()
  let nth = 0
  for (const event of history) {
    switch (event.e) {
      case 'send':
        sendByValue.set(event.value, { producer: event.producer, nth: nth++ })
        break
      case 'sent': {
        const place = placeOf(event.partition, event.offset)
        const there = valueByPlace.get(place)
        if (there === undefined) found('lost write', `${event.value}, acknowledged at ${place}`)
        else if (there !== event.value)
          found(
            'inconsistent offset',
            `${event.value} was acknowledged at ${place}, which holds ${there}`,
          )
        const sender = sendByValue.get(event.value)
        if (sender === undefined) break
        const line = `${sender.producer}/${event.partition}`
        const before = newestSent.get(line)
        if (before !== undefined && before.nth > sender.nth !== before.offset > event.offset)
          found(
            'non-monotonic send',
            `${event.value} of ${line} landed at ${event.offset}, beside ${before.offset}`,
          )
        if (before === undefined || sender.nth > before.nth)
          newestSent.set(line, { nth: sender.nth, offset: event.offset })
        break
      }
      case 'failed':
        if (placeByValue.has(event.value))
          found('phantom write', `${event.value} failed and is at ${placeByValue.get(event.value)}`)
        break
      case 'assigned': {
        const line = `${event.tenure}/${event.partition}`
        lastPolled.delete(line)
        const group = groupOf(event.tenure)
        const least = committedSoFar.get(`${group}/${event.partition}`)
        if (least !== undefined && event.from < least)
          found('stale start', `${line} began at ${event.from}, although ${least} was committed`)
        break
      }
      case 'poll': {
        const line = `${event.tenure}/${event.partition}`
        const there = valueByPlace.get(placeOf(event.partition, event.offset))
        if (there !== event.value)
          found(
            'inconsistent offset',
            `${line} read ${event.value} at ${event.offset}, which holds ${there}`,
          )
        const last = lastPolled.get(line)
        if (last !== undefined && event.offset <= last)
          found('non-monotonic poll', `${line} read ${event.offset} after ${last}`)
        if (
          last !== undefined &&
          event.offset > last + 1 &&
          isHeld(valueByPlace, event.partition, last + 1, event.offset)
        )
          found('poll skip', `${line} read ${event.offset} after ${last}`)
        lastPolled.set(line, event.offset)
        polled.add(`${groupOf(event.tenure)}/${placeOf(event.partition, event.offset)}`)
        break
      }
      case 'committed': {
        const line = `${event.group}/${event.partition}`
        committedSoFar.set(line, Math.max(event.offset, committedSoFar.get(line) ?? -1))
        break
      }
    }
  }
  for (const [line, offset] of committedSoFar) {
    const [group = '', partition = ''] = line.split('/')
    const now = committed.get(group)?.get(Number(partition)) ?? -1
    if (now < offset)
      found('commit went back', `${line}: ${offset} was acknowledged, ${now} is there`)
  }
  for (const [group, offsets] of committed)
    for (const [partition, next] of offsets)
      for (const { offset, value } of logs.get(partition) ?? [])
        if (offset < next && !polled.has(`${group}/${placeOf(partition, offset)}`))
          found('never polled', `${value} at ${placeOf(partition, offset)} by ${group}`)
  return anomalies
}

/** A tenure is called `<group>#<whose>`. */
function groupOf(tenure: string): string {
  return tenure.split('#')[0] ?? ''
}

/** Whether the log holds anything in between, which a reader would have had to see. */
function isHeld(
  valueByPlace: ReadonlyMap<string, string>,
  partition: number,
  from: number,
  before: number,
): boolean {
  for (let offset = from; offset < before; offset++)
    if (valueByPlace.has(placeOf(partition, offset))) return true
  return false
}

function placeOf(partition: number, offset: number): string {
  return `${partition}@${offset}`
}
