import type { ConsumerDefinition } from '../consumer/define-consumer.ts'
import type { Schedule } from './define-schedule.ts'

/** Every fault of an app's schedules, with its path; those of their topics' names are found with the other topics'. */
export function scheduleFaults(
  schedules: readonly Schedule[] | undefined,
  consumers: readonly ConsumerDefinition[],
): string[] {
  const faults: string[] = []
  for (const [index, schedule] of (schedules ?? []).entries()) {
    if ((schedule as Partial<Schedule> | undefined)?.kind !== 'schedule') {
      faults.push(`app.schedules[${index}]: is not what defineSchedule returns`)
      continue
    }
    const { name, partitions } = schedule
    if (!(Number.isSafeInteger(partitions) && partitions >= 1))
      faults.push(`schedules.${name}.partitions: ${partitions} is not a number of 1 or more`)
    if (consumers.some(({ group }) => group === name))
      faults.push(
        `schedules.${name}: a group of consumers has this name; give the schedule another`,
      )
  }
  return faults
}
