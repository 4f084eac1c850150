import { formatSize } from '../../kit/index.ts'
import { labelled } from '../text.ts'
import { byteRate } from './cluster-info.ts'

/** What `millrace topics info` knows; unknown facts are undefined and their lines left out. */
export interface TopicInfo {
  readonly origin: string
  readonly name: string
  readonly messagesInPerSecond?: number | undefined
  readonly bytesInPerSecond?: number | undefined
  readonly bytesOutPerSecond?: number | undefined
  readonly partitions: number
  readonly replicationFactor: number
  readonly isCompacted: boolean
  /** -1 keeps for ever. */
  readonly retentionMs?: number | undefined
  readonly messages?: number | undefined
  readonly bytes?: number | undefined
  readonly groups?: readonly string[] | undefined
}

/** The block of `millrace topics info`. Labels and order are fixed: scripts read them. */
export function topicInfoText(info: TopicInfo, isAligned: boolean): string {
  const producers =
    info.messagesInPerSecond === undefined
      ? undefined
      : `${info.messagesInPerSecond.toFixed(1)} messages/second` +
        (info.bytesInPerSecond === undefined
          ? ''
          : ` (${byteRate(info.bytesInPerSecond)}/second)`) +
        ' total'
  const consumers =
    info.bytesOutPerSecond === undefined
      ? undefined
      : `${byteRate(info.bytesOutPerSecond)}/second total`
  return labelled(
    `${info.origin} :: ${info.name}`,
    [
      ['Producers', producers],
      ['Consumers', consumers],
      ['Partitions', `${info.partitions} ${info.partitions === 1 ? 'partition' : 'partitions'}`],
      ['Replication Factor', String(info.replicationFactor)],
      ['Compaction', `Compaction is ${info.isCompacted ? 'enabled' : 'disabled'} for ${info.name}`],
      ['Retention', info.retentionMs === undefined ? undefined : retentionText(info.retentionMs)],
      ['Messages', info.messages === undefined ? undefined : String(info.messages)],
      ['Size', info.bytes === undefined ? undefined : formatSize(info.bytes)],
      [
        'Groups',
        info.groups === undefined || info.groups.length === 0 ? undefined : info.groups.join(', '),
      ],
    ],
    { isAligned },
  )
}

/** Seconds below an hour, hours below 48, else days. */
export function retentionText(ms: number): string {
  if (ms < 0) return 'for ever'
  const hours = ms / 3_600_000
  if (hours < 1) return unit(ms / 1000, 'second')
  if (hours < 48) return unit(hours, 'hour')
  return unit(hours / 24, 'day')
}

function unit(amount: number, noun: string): string {
  const text = String(Number(amount.toFixed(1)))
  return `${text} ${noun}${text === '1' ? '' : 's'}`
}
