import type { ErrorRows } from '../row.ts'

export const brokerErrors = {
  MR_BROKER_PORT_TAKEN: {
    class: 'ConfigError',
    retriable: true,
    message: ({ host, port }: { readonly host: string; readonly port: number }) =>
      `port ${port} of ${host} is taken by another program`,
    hint: 'Another broker may be running: stop it or use it. Or choose another port; 0 takes any free one.',
  },
  MR_BROKER_LISTEN: {
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
    }) => `cannot listen on ${host}:${port}: ${reason}`,
    hint: 'Check that the address belongs to this machine and the port is above 1023.',
  },
  MR_BROKER_ADVERTISED: {
    class: 'ConfigError',
    retriable: false,
    message: ({ advertised }: { readonly advertised: string }) =>
      `advertised must be host:port or host, not ${JSON.stringify(advertised)}`,
    hint: 'Give the name under which clients reach this broker, for example broker.internal:9092.',
  },
  MR_BROKER_FRAME_SIZE: {
    class: 'CodecError',
    retriable: false,
    message: ({ bytes, limit }: { readonly bytes: number; readonly limit: number }) =>
      `a request claims ${bytes} bytes; at most ${limit} are taken`,
    hint: 'The peer is no Kafka client (a browser or TLS handshake looks like this), or its batches are too large: raise maxFrameBytes.',
  },
  MR_BROKER_REQUEST_REFUSED: {
    class: 'CodecError',
    retriable: false,
    message: (request: {
      readonly api: string
      readonly version: number
      readonly reason: string
    }) => `${request.api} version ${request.version} was refused: ${request.reason}`,
    hint: 'Its connection was closed, as Kafka does where no answer has a layout. Check what the client negotiates.',
  },
  MR_BROKER_THREAD: {
    class: 'InternalError',
    retriable: false,
    message: ({ reason }: { readonly reason: string }) => `the broker's thread ended: ${reason}`,
    hint: 'Start again: what was acknowledged is on disk. If it comes back, report it with this text.',
  },
  MR_BROKER_GROUPS_UNREADABLE: {
    class: 'StorageError',
    retriable: false,
    message: ({ offset, reason }: { readonly offset: number; readonly reason: string }) =>
      `__consumer_offsets cannot be read at offset ${offset}: ${reason}`,
    hint: 'Committed offsets are in this topic. Restore it from a copy, or delete its folder to let every group start anew.',
  },
} as const satisfies ErrorRows
