import type { ErrorRows } from '../row.ts'

export const clientErrors = {
  MR_CLIENT_ADDRESS_INVALID: {
    class: 'ConfigError',
    retriable: false,
    message: ({ address }: { readonly address: string }) => `${address} is not a broker address`,
    hint: 'Write host:port, for example localhost:9092 or [::1]:9092; several are separated by commas.',
  },
  MR_CLIENT_CLOSED: {
    class: 'UsageError',
    retriable: false,
    message: ({ what }: { readonly what: string }) => `${what}: the client is closed`,
    hint: 'Open a new client, or close this one after its last use.',
  },
  MR_CLIENT_TIMEOUT: {
    class: 'TimeoutError',
    retriable: true,
    message: ({
      what,
      timeoutMs,
      reason,
    }: {
      readonly what: string
      readonly timeoutMs: number
      readonly reason: string
    }) => `${what} did not succeed within ${timeoutMs} ms: ${reason}`,
    hint: 'The last failure is the cause of this error. Check the brokers; raise the timeout if they are only slow.',
  },
  MR_CLUSTER_UNREACHABLE: {
    class: 'ConnectionError',
    retriable: true,
    message: ({
      addresses,
      reason,
    }: {
      readonly addresses: readonly string[]
      readonly reason: string
    }) => `no broker can be reached at ${addresses.join(', ')}: ${reason}`,
    hint: 'Is the cluster up, and are these its addresses as seen from this machine? `millrace dev` starts one.',
  },
  MR_CONNECTION_FAILED: {
    class: 'ConnectionError',
    retriable: true,
    message: ({ address, reason }: { readonly address: string; readonly reason: string }) =>
      `cannot connect to ${address}: ${reason}`,
    hint: 'Check that the broker runs and that the address it advertises can be reached from this machine.',
  },
  MR_CONNECTION_LOST: {
    class: 'ConnectionError',
    retriable: true,
    message: ({ address, reason }: { readonly address: string; readonly reason: string }) =>
      `the connection to ${address} was lost: ${reason}`,
    hint: 'Usually a restarted broker or the network; the client connects again by itself.',
  },
  MR_CONNECTION_WRONG_PEER: {
    class: 'ConnectionError',
    retriable: false,
    message: ({ address, peer }: { readonly address: string; readonly peer: string }) =>
      `${address} is not a Kafka listener of the kind expected: it answered with ${peer}`,
    hint: 'After a TLS alert or record switch `tls` on; after plain text switch it off; after HTTP correct the port.',
  },
  MR_CONNECTION_VERSION_UNSUPPORTED: {
    class: 'ConnectionError',
    retriable: false,
    message: ({
      address,
      api,
      wanted,
      offered,
    }: {
      readonly address: string
      readonly api: string
      readonly wanted: readonly [number, number]
      readonly offered: readonly [number, number] | null
    }) =>
      `${api} ${wanted[0]}-${wanted[1]} is needed, but ${address} offers ${offered ? `${offered[0]}-${offered[1]}` : 'none'}`,
    hint: 'The broker is too old (or too new) for this call; every call works from Apache Kafka 2.4 on unless its documentation says more.',
  },
  MR_REQUEST_TIMEOUT: {
    class: 'TimeoutError',
    retriable: true,
    message: ({
      address,
      api,
      timeoutMs,
    }: {
      readonly address: string
      readonly api: string
      readonly timeoutMs: number
    }) => `${address} did not answer ${api} within ${timeoutMs} ms; the connection was closed`,
    hint: 'Check the load of the broker; raise requestTimeoutMs if it is only slow.',
  },
  MR_KAFKA_ERROR: {
    class: 'KafkaError',
    retriable: false, // each code brings its own
    message: ({
      what,
      name,
      errorCode,
      detail,
    }: {
      readonly what: string
      readonly name: string
      readonly errorCode: number
      readonly detail: string
      readonly retriable: boolean
    }) =>
      `${what}: the broker answered ${name} (${errorCode})${detail === '' ? '' : `: ${detail}`}`,
    hint: 'The name is Kafka’s own; `retriable` says whether the same call may succeed later.',
  },
  MR_TOPIC_UNKNOWN: {
    class: 'UsageError',
    retriable: false,
    message: ({ topic }: { readonly topic: string }) => `there is no topic ${topic}`,
    hint: 'Create it first, or let the broker create topics on first use.',
  },
  MR_PARTITION_UNKNOWN: {
    class: 'UsageError',
    retriable: false,
    message: ({
      topic,
      partition,
      partitions,
    }: {
      readonly topic: string
      readonly partition: number
      readonly partitions: number
    }) => `${topic} has ${partitions} partitions; there is no ${topic}/${partition}`,
    hint: 'Partitions count from 0. Leave the partition out to have one chosen.',
  },
} as const satisfies ErrorRows
