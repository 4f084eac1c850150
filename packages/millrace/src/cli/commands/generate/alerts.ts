import { defineCommand } from '../../command.ts'

export const generateAlerts = defineCommand({
  arguments: {},
  options: {
    prefix: { type: 'text', about: 'the setting metrics.prefix', default: 'millrace' },
  },
  examples: ['millrace generate alerts'],

  async run({ prefix }, { print }) {
    const { internals } = await import('../../../app/index.ts')
    const { stringify } = await import('yaml')
    const document = { groups: [{ name: prefix, rules: internals.alertRules(prefix) }] }
    await print.document(document, () => stringify(document, { lineWidth: 0 }).trimEnd())
  },
})
