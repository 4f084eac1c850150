import { AsyncLocalStorage } from 'node:async_hooks'

import type { PartitionOwner } from '../owner/partition-owner.ts'

/** Whose handler the code at hand was called from, over every await and timer. */
const current = new AsyncLocalStorage<PartitionOwner>()

export function enterJob(owner: PartitionOwner, call: () => unknown): unknown {
  return current.run(owner, call)
}

export function ownerOfCode(): PartitionOwner | undefined {
  return current.getStore()
}
