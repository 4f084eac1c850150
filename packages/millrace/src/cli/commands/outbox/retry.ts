import { defineCommand } from '../../command.ts'
import { counted } from '../../text.ts'
import { idsNamed, withOutbox } from '../../with-outbox.ts'

export const outboxRetry = defineCommand({
  name: 'outbox retry',
  about:
    'Lets refused messages of the outbox be sent again: those named, or all. What waits behind them goes on.',
  safety: 'change',
  arguments: { ids: { about: 'ids as outbox list shows them', isList: true, isRequired: false } },
  options: { table: { type: 'text', about: 'which outbox, where the application has several' } },
  examples: ['millrace outbox retry'],

  async run({ ids, table }, context) {
    const chosen = ids.length === 0 ? undefined : idsNamed(ids)
    await withOutbox(context, table, async (outbox) => {
      const retried = await outbox.retry(chosen)
      const text = `${counted(retried, 'message')} of ${outbox.name} will be sent again.`
      await context.print.document({ outbox: outbox.name, retried }, () => text)
    })
  },
})
