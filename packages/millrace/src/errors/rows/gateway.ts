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
} as const satisfies ErrorRows
