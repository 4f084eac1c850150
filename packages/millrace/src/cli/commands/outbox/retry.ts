import { defineCommand } from '../../command.ts'
import { counted } from '../../text.ts'
import { idsNamed, withOutbox } from '../../with-outbox.ts'

export const outboxRetry = defineCommand({
  arguments: { ids: { about: 'ids as outbox list shows them', isList: true, isRequired: false } },
  options: {
    dryRun: { type: 'flag', about: 'only show what would be sent again' },
    table: { type: 'text', about: 'which outbox, where the application has several' },
  },
  examples: ['millrace outbox retry --dry-run', 'millrace outbox retry'],

  async run({ ids, dryRun, table }, context) {
    const chosen = ids.length === 0 ? undefined : idsNamed(ids)
    await withOutbox(context, table, async (outbox) => {
      if (dryRun === true) {
        const refused = await outbox.list({ isFailed: true, limit: 100_000 })
        const again = refused.filter(({ id }) => chosen === undefined || chosen.includes(id))
        const text = `${counted(again.length, 'message')} of ${outbox.name} would be sent again.`
        await context.print.document(again, () => text)
        return
      }
      const retried = await outbox.retry(chosen)
      const text = `${counted(retried, 'message')} of ${outbox.name} will be sent again.`
      await context.print.document({ outbox: outbox.name, retried }, () => text)
    })
  },
})
