import type { ErrorRows } from '../row.ts'

export const gatewayErrors = {
  MR_GATEWAY_LISTEN: {
    class: 'ConfigError',
    retriable: false,
    message: ({ address, reason }: { readonly address: string; readonly reason: string }) =>
      `the gateway cannot listen on ${address}: ${reason}`,
    hint: 'Stop what holds the address, or choose another with --port, --host or --socket. Port 0 takes any free one.',
  },
  MR_GATEWAY_INSECURE: {
    class: 'ConfigError',
    retriable: false,
    message: ({ host }: { readonly host: string }) =>
      `the gateway would let everybody who reaches ${host} read and write every topic`,
    hint: 'Configure users, listen on 127.0.0.1 or a unix socket, or say --insecure where the network is trusted.',
  },
  MR_GATEWAY_PATTERN_SLOW: {
    class: 'UsageError',
    retriable: false,
    message: ({ groupId }: { readonly groupId: string }) =>
      `a regular expression of a consumer in the group ${groupId} takes too long to match the topics`,
    hint: 'Its repetitions are nested, as in ^(a+)+$: write it without, or name the topics.',
  },
} as const satisfies ErrorRows
