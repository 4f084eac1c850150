import { defineCommand } from '../../command.ts'
import { columns, counted } from '../../text.ts'
import { withOutbox } from '../../with-outbox.ts'

export const outboxList = defineCommand({
  arguments: {},
  options: {
    failed: { type: 'flag', about: 'only those that were refused for good' },
    limit: {
      type: 'number',
      short: 'n',
      about: 'so many at most',
      default: 20,
      range: [1, 100_000],
    },
    table: { type: 'text', about: 'which outbox, where the application has several' },
  },
  examples: ['millrace outbox list', 'millrace outbox list --failed --json'],

  async run({ failed, limit, table }, context) {
    const { print } = context
    await withOutbox(context, table, async (outbox) => {
      const rows = await outbox.list({ isFailed: failed === true, limit })
      await print.document(rows, () =>
        columns(
          rows.map(({ createdMs, key, failed: reason, ...row }) => ({
            ...row,
            key: key ?? '',
            since: new Date(createdMs).toISOString(),
            failed: reason ?? '',
          })),
        ),
      )
      const stats = await outbox.stats()
      const refused = stats.failed > 0 ? `, ${stats.failed} refused` : ''
      const age = stats.waiting > 0 ? `, the oldest for ${Math.round(stats.oldestMs / 1000)} s` : ''
      print.talk(`${outbox.name}: ${counted(stats.waiting, 'message')} waiting${age}${refused}.`)
    })
  },
})
