import { defineCommand } from '../command.ts'

export const install = defineCommand({
  name: 'install',
  about:
    'Sets Millrace up in an existing application: boot file, base classes, and how to start it in your framework.',
  safety: 'write',
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
