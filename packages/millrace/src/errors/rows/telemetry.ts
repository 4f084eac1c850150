import type { ErrorRows } from '../row.ts'

export const telemetryErrors = {
  MR_MONITOR_EVENT_TAKEN: {
    class: 'UsageError',
    retriable: false,
    message: ({ name }: { readonly name: string }) => `${name} is an event of Millrace already`,
    hint: 'Begin the name with a word of your application: `shop.order-paid`.',
  },
  MR_MONITOR_EVENT_NAME: {
    class: 'UsageError',
    retriable: false,
    message: ({ name }: { readonly name: string }) => `${name} is no name for an event`,
    hint: 'Write words of lower case with dots between, at least two: `orders.paid`.',
  },
} as const satisfies ErrorRows
