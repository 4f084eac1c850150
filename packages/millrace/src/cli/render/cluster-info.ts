import { formatSize } from '../../kit/index.ts'
import { counted, labelled } from '../text.ts'

/** What `millrace info` knows; a fact that the engine cannot give is undefined and its line left out. */
export interface ClusterInfo {
  readonly origin: string
  readonly name: string
  readonly createdMs?: number | undefined
  readonly plan?: string | undefined
  readonly status: string
  readonly version?: string | undefined
  readonly topics: number
  readonly consumers: number
  readonly applications: number
  readonly messagesPerSecond?: number | undefined
  readonly bytesInPerSecond?: number | undefined
  readonly bytesOutPerSecond?: number | undefined
  readonly groups: number
  readonly bytes?: number | undefined
  readonly address: string
}

/** The block of `millrace info`. Labels and order are fixed: scripts read them. */
export function clusterInfoText(info: ClusterInfo, isAligned: boolean): string {
  const traffic =
    info.bytesInPerSecond === undefined || info.bytesOutPerSecond === undefined
      ? undefined
      : `${byteRate(info.bytesInPerSecond)}/s in / ${byteRate(info.bytesOutPerSecond)}/s out`
  return labelled(
    info.origin,
    [
      ['Name', info.name],
      ['Created', info.createdMs === undefined ? undefined : minuteText(info.createdMs)],
      ['Plan', info.plan],
      ['Status', info.status],
      ['Version', info.version],
      ['Topics', `${counted(info.topics, 'topic')} (see millrace topics list)`],
      [
        'Connections',
        `${counted(info.consumers, 'consumer')} (${counted(info.applications, 'application')})`,
      ],
      [
        'Messages',
        info.messagesPerSecond === undefined
          ? undefined
          : `${rate(info.messagesPerSecond)} messages/s`,
      ],
      ['Traffic', traffic],
      ['Groups', counted(info.groups, 'group')],
      ['Disk', info.bytes === undefined ? undefined : formatSize(info.bytes)],
      ['Address', info.address],
    ],
    { isAligned },
  )
}

/** `2016-04-19 19:54 UTC`. */
function minuteText(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** Two decimals at most, none when whole: `0.37`, `12`. */
function rate(value: number): string {
  return String(Number(value.toFixed(2)))
}

/** `28 Bytes`, `12.1 KB`: powers of 1024 under the old names, as eyes and scripts know them. */
export function byteRate(bytes: number): string {
  if (bytes < 1024) return `${Math.round(bytes)} Bytes`
  if (bytes < 1024 ** 2) return `${Number((bytes / 1024).toFixed(1))} KB`
  return `${Number((bytes / 1024 ** 2).toFixed(1))} MB`
}
