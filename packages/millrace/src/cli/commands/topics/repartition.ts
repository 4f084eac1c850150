import { defineCommand } from '../../command.ts'
import { allowKeyMove, detailedExitCode, dryRun } from '../../declared/options.ts'

export const topicsRepartition = defineCommand({
  arguments: {},
  options: { allowKeyMove, dryRun, detailedExitCode },
  examples: [
    'millrace topics repartition --dry-run',
    'millrace topics repartition --allow-key-move',
  ],

  async run(input, context) {
    const { runDeclared } = await import('../../declared/run-declared.ts')
    return runDeclared(context, {
      changes: ['partitions'],
      shows: ['fewer-partitions'],
      isDryRun: input.dryRun === true,
      allowsKeyMove: input.allowKeyMove === true,
      hasDetailedExitCode: input.detailedExitCode === true,
    })
  },
})
