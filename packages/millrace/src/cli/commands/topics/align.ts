import { defineCommand } from '../../command.ts'
import { detailedExitCode, dryRun } from '../../declared/options.ts'

export const topicsAlign = defineCommand({
  arguments: {},
  options: { dryRun, detailedExitCode },
  examples: ['millrace topics align --dry-run', 'millrace topics align'],

  async run(input, context) {
    const { runDeclared } = await import('../../declared/run-declared.ts')
    return runDeclared(context, {
      changes: ['setting'],
      isDryRun: input.dryRun === true,
      hasDetailedExitCode: input.detailedExitCode === true,
    })
  },
})
