import { headerBytes, headerNames, headerNumber, headerText } from '../dead-letter/headers.ts'
import type { SourceMessage } from '../ports.ts'

/** What lies in a dead letter topic, as bytes. */
export type RawLetter = Omit<SourceMessage, 'receivedAt' | 'timestampType'>

/** What the headers of a dead letter say. Undefined: they do not say, as with letters that somebody else wrote. */
export interface Letter {
  readonly partition: number
  readonly offset: number
  /** When it was written, epoch milliseconds. */
  readonly timestamp: number
  readonly id: string | undefined
  readonly sourceTopic: string | undefined
  readonly sourcePartition: number | undefined
  readonly sourceOffset: number | undefined
  readonly group: string | undefined
  readonly consumer: string | undefined
  readonly attempts: number | undefined
  readonly reason: string | undefined
  readonly errorCode: string | undefined
  readonly errorClass: string | undefined
  readonly errorMessage: string | undefined
  readonly redrives: number
  /** As text; the one before `key: 'unique'`. */
  readonly key: string | null
  readonly valueBytes: number | null
}

export function readLetter(raw: RawLetter): Letter {
  const { headers } = raw
  const text = (name: string): string | undefined => headerText(headers, `millrace-${name}`)
  return {
    partition: raw.partition,
    offset: raw.offset,
    timestamp: raw.timestamp,
    id: headerText(headers, headerNames.id),
    sourceTopic: headerText(headers, headerNames.sourceTopic),
    sourcePartition: headerNumber(headers, headerNames.sourcePartition),
    sourceOffset: headerNumber(headers, headerNames.sourceOffset),
    group: headerText(headers, headerNames.group),
    consumer: text('consumer'),
    attempts: headerNumber(headers, headerNames.attempts),
    reason: text('reason'),
    errorCode: text('error-code'),
    errorClass: text('error-class'),
    errorMessage: text('error-message'),
    redrives: headerNumber(headers, headerNames.redrives) ?? 0,
    key: originalKey(raw)?.toString() ?? null,
    valueBytes: raw.value?.length ?? null,
  }
}

/** The key of the message, also where the letter has one of its own. */
export function originalKey({ key, headers }: RawLetter): Buffer | null {
  const kept = headerBytes(headers, headerNames.sourceKey)
  return kept === undefined ? key : kept
}
