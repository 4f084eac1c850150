import type { DeliveredMessage } from '../message/message.ts'
import type { OrderBy } from './options.ts'

/** The scope of messages whose `orderBy` failed: nobody knows what they belong to, so they follow each other. */
const common = Symbol('common')

/** Where a message belongs; undefined: it has no order. */
export type ScopeName = string | typeof common | undefined

export function scopeOf(message: DeliveredMessage, orderBy: OrderBy | null | undefined): ScopeName {
  // One character a byte: other bytes, other text.
  if (orderBy === undefined) return message.source.key?.toString('latin1')
  if (orderBy === null) return undefined
  try {
    return nameOf(orderBy(message))
  } catch {
    // The handler meets the same error when it touches the value, and its failure is told there.
    return common
  }
}

function nameOf(scope: unknown): ScopeName {
  if (scope === null) return undefined
  if (Buffer.isBuffer(scope)) return `bytes:${scope.toString('latin1')}`
  if (typeof scope === 'string' || typeof scope === 'number') return `${typeof scope}:${scope}`
  if (typeof scope === 'bigint' || typeof scope === 'boolean') return `${typeof scope}:${scope}`
  return common
}
