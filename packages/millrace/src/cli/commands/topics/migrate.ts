import { defineCommand } from '../../command.ts'
import { allowKeyMove, detailedExitCode, dryRun } from '../../declared/options.ts'

export const topicsMigrate = defineCommand({
  arguments: {},
  options: { allowKeyMove, dryRun, detailedExitCode },
  examples: ['millrace topics migrate --dry-run', 'millrace topics migrate --allow-key-move'],

  async run(input, context) {
    const { runDeclared } = await import('../../declared/run-declared.ts')
    return runDeclared(context, {
      changes: ['missing', 'partitions', 'setting'],
      shows: ['fewer-partitions', 'replicas'],
      isDryRun: input.dryRun === true,
      allowsKeyMove: input.allowKeyMove === true,
      hasDetailedExitCode: input.detailedExitCode === true,
    })
  },
})
