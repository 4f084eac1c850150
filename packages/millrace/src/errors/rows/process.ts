import type { ErrorRows } from '../row.ts'

export const processErrors = {
  MR_HEALTH_LISTEN: {
    class: 'ConfigError',
    retriable: false,
    message: ({
      host,
      port,
      reason,
    }: {
      readonly host: string
      readonly port: number
      readonly reason: string
    }) => `the health endpoint cannot listen on ${host}:${port}: ${reason}`,
    hint: 'Choose another `health.port` (0 takes any that is free), or stop what uses it.',
  },
} as const satisfies ErrorRows
