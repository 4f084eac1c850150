import { formatDuration } from '../../kit/index.ts'

/** `users-retry-mail-30s`. However the delay was written, the name is the same. */
export function retryTopicName(topic: string, group: string, delayMs: number): string {
  return `${topic}-retry-${group}-${formatDuration(delayMs)}`
}

/** Where `order: 'key'` keeps what is parked. */
export function parkedTopicName(topic: string, group: string): string {
  return `${topic}-retry-${group}-parked`
}
