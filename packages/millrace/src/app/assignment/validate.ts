import type { AssignmentSettings } from './options.ts'

export function assignmentFaults(
  { assign, positions }: AssignmentSettings,
  path: string,
): string[] {
  const faults: string[] = []
  if (positions !== undefined && assign === undefined)
    faults.push(`${path}.positions: only with assign; a group keeps its own positions`)
  if (positions !== undefined && !/^[A-Za-z0-9._-]+$/.test(positions))
    faults.push(`${path}.positions: '${positions}' is neither none nor the name of a group`)
  if (assign === undefined || assign === 'all') return faults
  if (!Array.isArray(assign) || assign.length === 0)
    return [...faults, `${path}.assign: name partitions, as [0, 1], or 'all'`]
  const numbers = assign as readonly unknown[]
  for (const one of numbers)
    if (!(Number.isInteger(one) && (one as number) >= 0))
      faults.push(`${path}.assign: ${String(one)} is no partition`)
  if (new Set(numbers).size < numbers.length) faults.push(`${path}.assign: names a partition twice`)
  return faults
}
