import { defineCommand } from '../../command.ts'
import { detailedExitCode } from '../../declared/options.ts'

export const topicsPlan = defineCommand({
  arguments: {},
  options: { detailedExitCode },
  examples: ['millrace topics plan', 'millrace topics plan --json'],

  async run(input, context) {
    const { runDeclared } = await import('../../declared/run-declared.ts')
    return runDeclared(context, {
      changes: [],
      shows: ['missing', 'partitions', 'setting', 'fewer-partitions', 'replicas'],
      isDryRun: true,
      hasDetailedExitCode: input.detailedExitCode === true,
    })
  },
})
