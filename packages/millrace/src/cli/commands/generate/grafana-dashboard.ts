import { defineCommand } from '../../command.ts'

export const generateGrafanaDashboard = defineCommand({
  arguments: {},
  options: {
    prefix: { type: 'text', about: 'the setting metrics.prefix', default: 'millrace' },
  },
  examples: ['millrace generate grafana-dashboard'],

  async run({ prefix }, { print }) {
    const { internals } = await import('../../../app/index.ts')
    const dashboard = internals.grafanaDashboard(prefix)
    await print.document(dashboard, () => JSON.stringify(dashboard, null, 2))
  },
})
