import type { ErrorRows } from '../row.ts'

export const configErrors = {
  MR_CONFIG_INVALID: {
    class: 'ConfigError',
    retriable: false,
    message: ({ faults }: { readonly faults: readonly string[] }) =>
      `the configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    hint: 'Correct each line above; `millrace config` shows every value and where it came from.',
  },
} as const satisfies ErrorRows
