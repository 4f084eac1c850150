import type { MillraceConfig, ResolvedConfig } from '../../app/index.ts'
import { defineCommand } from '../command.ts'

export const flow = defineCommand({
  arguments: {},
  options: {},
  examples: ['millrace flow', 'millrace flow --json'],

  async run(_, { print, env, folder, globals }) {
    const { resolveConfig } = await import('../../app/index.ts')
    const { loadConfig } = await import('../load-config.ts')
    const { config } = await loadConfig({ folder, file: globals.config })
    const flows = flowsOf(config, resolveConfig(config, { env }))
    await print.document(flows, () => flows.map((one) => flowText(one, flows)).join('\n'))
    if (flows.length === 0)
      print.talk('the configuration declares no consumers (app.consumers), so nothing flows')
  },
})

interface Flow {
  readonly topic: string
  readonly consumer: string
  readonly group: string
  readonly to: readonly Target[]
}

interface Target {
  readonly topic: string
  readonly when: 'always' | 'conditionally' | 'when given up'
}

function flowsOf(config: MillraceConfig, { plans }: ResolvedConfig): readonly Flow[] {
  const flows = (config.app?.consumers ?? []).flatMap(({ group, topics }, index) =>
    topics.map(({ name }): Flow => {
      const { title = '', responder, deadLetter } = plans[index] ?? {}
      const answers = Object.entries(responder?.topics ?? {}).map(([key, topic]): Target => {
        const isOptional = responder?.optional?.includes(key) === true
        return { topic: topic.name, when: isOptional ? 'conditionally' : 'always' }
      })
      const letters = (deadLetter?.declared ?? [])
        .filter(({ source }) => source === name)
        .map(({ topic }): Target => ({ topic, when: 'when given up' }))
      return { topic: name, consumer: title, group, to: [...answers, ...letters] }
    }),
  )
  return flows.toSorted((left, right) =>
    left.topic < right.topic ? -1 : left.topic > right.topic ? 1 : 0,
  )
}

/** `users => mails (always), audits (conditionally)`; with the group where several read the topic. */
function flowText({ topic, group, to }: Flow, all: readonly Flow[]): string {
  const isShared = all.filter((one) => one.topic === topic).length > 1
  const targets = to.map(({ topic: target, when }) => `${target} (${when})`)
  const from = isShared ? `${topic} [${group}]` : topic
  return `${from} => ${targets.length === 0 ? '(nothing)' : targets.join(', ')}`
}
