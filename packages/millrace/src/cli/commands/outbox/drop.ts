import { defineCommand } from '../../command.ts'
import { confirmDestruction } from '../../confirm.ts'
import { counted } from '../../text.ts'
import { idsNamed, withOutbox } from '../../with-outbox.ts'

export const outboxDrop = defineCommand({
  arguments: { ids: { about: 'ids as outbox list shows them', isList: true, isRequired: false } },
  options: {
    yes: { type: 'flag', short: 'y', about: 'go ahead' },
    dryRun: { type: 'flag', about: 'only show what would be lost' },
    table: { type: 'text', about: 'which outbox, where the application has several' },
  },
  examples: ['millrace outbox drop --dry-run', 'millrace outbox drop --yes'],

  async run({ ids, yes, dryRun, table }, context) {
    const { print } = context
    const chosen = ids.length === 0 ? undefined : idsNamed(ids)
    await withOutbox(context, table, async (outbox) => {
      const refused = await outbox.list({ isFailed: true, limit: 100_000 })
      const lost = refused.filter(({ id }) => chosen === undefined || chosen.includes(id))
      const what = `${counted(lost.length, 'refused message')} of ${outbox.name}`
      if (dryRun === true || lost.length === 0) {
        await print.document(lost, () => `${what} would be lost.`)
        return
      }
      const isConfirmed = yes === true
      await confirmDestruction({
        what: `dropping ${what}`,
        names: [outbox.name],
        isConfirmed,
        print,
      })
      const dropped = await outbox.drop(chosen)
      const text = `Dropped ${counted(dropped, 'message')} of ${outbox.name}.`
      await print.document({ outbox: outbox.name, dropped }, () => text)
    })
  },
})
