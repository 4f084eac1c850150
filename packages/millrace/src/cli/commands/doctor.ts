import { defineCommand } from '../command.ts'
import { exitCodes } from '../exit-code.ts'
import type { CheckResult } from '../doctor/check.ts'
import { columns } from '../text.ts'

export const doctor = defineCommand({
  arguments: {},
  options: {},
  examples: ['millrace doctor', 'millrace doctor --json'],

  async run(_input, { print, folder, cluster }) {
    const { checks } = await import('../doctor/checks.ts')
    const { worst } = await import('../doctor/check.ts')
    const results: (CheckResult & { readonly check: string })[] = []
    for (const check of checks) {
      results.push({ check: check.name, ...(await check.run({ folder, cluster })) })
    }
    await print.document({ status: worst(results), checks: results }, () => {
      const fixes = results
        .filter(({ fix }) => fix !== undefined)
        .map(({ check, fix }) => `${check}: ${fix ?? ''}`)
      const table = columns(results.map(({ check, status, detail }) => ({ check, status, detail })))
      return [table, ...fixes].join('\n')
    })
    return worst(results) === 'fail' ? exitCodes.problems : exitCodes.done
  },
})
