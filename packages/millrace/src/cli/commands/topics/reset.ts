import { defineCommand } from '../../command.ts'

export const topicsReset = defineCommand({
  arguments: {
    topics: {
      about: 'only these; all that are declared otherwise',
      isList: true,
      isRequired: false,
    },
  },
  options: {
    yes: { type: 'flag', short: 'y', about: 'go ahead' },
    dryRun: { type: 'flag', about: 'only show what would be lost' },
  },
  examples: ['millrace topics reset --dry-run', 'millrace topics reset orders --yes'],

  async run({ topics, yes, dryRun }, context) {
    const { resetDeclared } = await import('../../declared/reset-declared.ts')
    await resetDeclared(context, {
      names: topics ?? [],
      isConfirmed: yes === true,
      isDryRun: dryRun === true,
    })
  },
})
