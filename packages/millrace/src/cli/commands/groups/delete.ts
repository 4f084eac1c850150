import { groupNamed } from '../../cluster-facts.ts'
import { defineCommand } from '../../command.ts'
import { confirmDestruction } from '../../confirm.ts'
import { exitCodes } from '../../exit-code.ts'
import { groupLags } from '../../group-lag.ts'
import { counted } from '../../text.ts'

export const groupsDelete = defineCommand({
  arguments: { groups: { about: 'the groups', isList: true } },
  options: {
    yes: { type: 'flag', short: 'y', about: 'go ahead' },
    dryRun: { type: 'flag', about: 'only show what would be lost' },
  },
  examples: ['millrace groups delete billing --dry-run', 'millrace groups delete billing --yes'],

  async run({ groups, yes, dryRun }, { print, cluster }) {
    const opened = await cluster()
    const losses: { readonly group: string; readonly offsets: number }[] = []
    for (const name of groups) {
      const lags = await groupLags(opened, await groupNamed(opened, name))
      const offsets = lags.filter(({ committed }) => committed !== null).length
      losses.push({ group: name, offsets })
    }
    const lost = ({ group, offsets }: (typeof losses)[number]): string =>
      `${group}: ${counted(offsets, 'committed offset')}`
    if (dryRun === true) {
      await print.document(losses, () =>
        losses.map((loss) => `${lost(loss)} would be lost`).join('\n'),
      )
      return exitCodes.done
    }
    const what = `deleting ${losses.map(lost).join(', ')}`
    await confirmDestruction({ what, names: groups, isConfirmed: yes === true, print })
    const results = await opened.admin.deleteGroups(groups)
    const failed = results.filter(({ error }) => error)
    for (const { error } of failed) print.fail(error)
    const deleted = losses.filter(({ group }) => !failed.some(({ groupId }) => groupId === group))
    await print.document(deleted, () => deleted.map(({ group }) => `Deleted ${group}`).join('\n'))
    return failed.length > 0 ? exitCodes.failed : exitCodes.done
  },
})
