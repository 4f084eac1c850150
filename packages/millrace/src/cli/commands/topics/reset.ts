import { defineCommand } from '../../command.ts'

export const topicsReset = defineCommand({
  name: 'topics reset',
  about:
    'Deletes declared topics with all their messages, and creates them anew. Shows what will be lost and wants --yes.',
  safety: 'destroy',
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
