import type { Client } from '../../client/index.ts'
import type { RedriveOptions } from './options.ts'
import type { Tally } from './tally.ts'

/** Groups that are asked whether they read a target; a cluster may have thousands. */
const mostGroupsAsked = 200

/** What somebody should know before, or after, letters were sent back. */
export async function notesFor(
  client: Client,
  around: {
    readonly options: RedriveOptions
    readonly group: string
    readonly tally: Tally
    readonly starts: ReadonlyMap<number, number>
  },
): Promise<readonly string[]> {
  const { options, group, tally, starts } = around
  const { onlyGroup = true, from } = options
  const notes: string[] = []
  if (starts.size > 0)
    notes.push(`goes on where ${group} stood; with \`again\` it begins at the start`)
  if (tally.chosen === 0) return notes
  const { withoutTarget } = tally.report()
  if (withoutTarget > 0)
    notes.push(
      `${withoutTarget} of them do not say where they came from and stay; name a topic with \`to\``,
    )
  if (onlyGroup && tally.withoutGroup > 0)
    notes.push(`${tally.withoutGroup} of them name no group, so every group gets their copies`)
  for (const target of tally.targets) {
    const readers = (await readersOf(client, target)).filter((reader) => reader !== group)
    if (readers.length > 0)
      notes.push(
        onlyGroup
          ? `${target} is read by ${readers.join(', ')}; Millrace consumers of groups that are not meant finish the copies unseen, others will see them`
          : `${target} is read by ${readers.join(', ')}; all of them get the copies`,
      )
  }
  notes.push(
    `copies are sent first and the progress is recorded after: a job that is killed may send its last batch twice, with the same millrace-id`,
    `nothing is removed from ${from}`,
  )
  return notes
}

/** Groups with a committed offset in the topic. */
async function readersOf({ admin }: Client, topic: string): Promise<readonly string[]> {
  const groups = (await admin.listGroups()).filter(
    ({ groupId }) => !groupId.startsWith('millrace-redrive-'),
  )
  const readers: string[] = []
  for (const { groupId } of groups.slice(0, mostGroupsAsked)) {
    const committed = await admin.committedOffsets(groupId)
    if (committed.some((entry) => entry.topic === topic && entry.offset >= 0)) readers.push(groupId)
  }
  return readers
}
