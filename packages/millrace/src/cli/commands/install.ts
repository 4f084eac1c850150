import { defineCommand } from '../command.ts'

export const install = defineCommand({
  arguments: {},
  options: {
    force: { type: 'flag', about: 'overwrite boot file and base classes that are there already' },
    dryRun: { type: 'flag', about: 'only show what would be written' },
  },
  examples: ['millrace install --dry-run', 'millrace install'],

  async run({ force, dryRun }, { folder, print }) {
    const { runInstall } = await import('../install/run-install.ts')
    await runInstall({ folder, isForced: force === true, isDryRun: dryRun === true, print })
  },
})
