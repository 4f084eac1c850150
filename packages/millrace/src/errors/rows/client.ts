import type { ErrorRows } from '../row.ts'

export const clientErrors = {
  MR_GROUP_OPTIONS_INVALID: {
    class: 'ConfigError',
    retriable: false,
    message: ({ groupId, what }: { readonly groupId: string; readonly what: string }) =>
      `group ${groupId}: ${what}`,
    hint: 'The reference of the group options lists each with its unit and bounds.',
  },
  MR_GROUP_HOOK_FAILED: {
    class: 'HandlerError',
    retriable: false,
    message: ({
      groupId,
      hook,
      reason,
    }: {
      readonly groupId: string
      readonly hook: string
      readonly reason: string
    }) => `group ${groupId}: ${hook} threw: ${reason}`,
    hint: 'The member goes on as if it had returned. Catch errors inside the hook.',
  },
  MR_GROUP_BROKEN: {
    class: 'InternalError',
    retriable: false,
    message: ({ groupId, reason }: { readonly groupId: string; readonly reason: string }) =>
      `group ${groupId}: the member broke: ${reason}`,
    hint: 'An assignor threw, or this is a fault of Millrace: please report it with the cause.',
  },
  MR_GROUP_CLOSED: {
    class: 'UsageError',
    retriable: false,
    message: ({ groupId }: { readonly groupId: string }) =>
      `group ${groupId}: this member has ended`,
    hint: 'Join again with a new member.',
  },
  MR_FETCH_CORRUPT: {
    class: 'CodecError',
    retriable: false,
    message: ({
      topic,
      partition,
      offset,
      what,
    }: {
      readonly topic: string
      readonly partition: number
      readonly offset: number
      readonly what: string
    }) => `${topic}/${partition}@${offset}: ${what}, and so it was when read again`,
    hint: 'Nothing was skipped: the partition stands still. Check the broker’s disk, then resume it, or seek past the batch.',
  },
  MR_FETCH_BATCH_TOO_LARGE: {
    class: 'UsageError',
    retriable: false,
    message: ({
      topic,
      partition,
      offset,
      bytes,
      limit,
    }: {
      readonly topic: string
      readonly partition: number
      readonly offset: number
      readonly bytes: number
      readonly limit: number
    }) => `${topic}/${partition}@${offset}: a batch of ${bytes} bytes, more than ${limit}`,
    hint: 'No producer writes such batches by default. Seek past it, or read it with another tool.',
  },
  MR_OFFSETS_LOST: {
    class: 'KafkaError',
    retriable: false,
    message: ({
      topic,
      partition,
      offset,
      newOffset,
      count,
    }: {
      readonly topic: string
      readonly partition: number
      readonly offset: number
      readonly newOffset: number
      readonly count: number
    }) =>
      `${topic}/${partition}: offset ${offset} is not in the log any more; ${count} messages were lost, reading goes on at ${newOffset}`,
    hint: 'Retention was faster than this reader, or the topic was cut or made anew. Read faster, or keep messages for longer.',
  },
  MR_OFFSET_OUT_OF_RANGE: {
    class: 'KafkaError',
    retriable: false,
    message: ({
      topic,
      partition,
      offset,
      start,
      end,
    }: {
      readonly topic: string
      readonly partition: number
      readonly offset: number
      readonly start: number
      readonly end: number
    }) =>
      `${topic}/${partition}: offset ${offset} is outside the log, which holds ${start} up to ${end}`,
    hint: 'The partition stands still, as `outOfRange: fail` asks. Seek to where reading shall go on.',
  },
  MR_OFFSET_MISSING: {
    class: 'KafkaError',
    retriable: false,
    message: ({ topic, partition }: { readonly topic: string; readonly partition: number }) =>
      `${topic}/${partition}: the group has committed no offset`,
    hint: 'The partition stands still, as `start: fail` asks. Set the group’s offsets, or seek.',
  },
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
  MR_PRODUCER_MESSAGE_INVALID: {
    class: 'UsageError',
    retriable: false,
    message: ({ topic, reason }: { readonly topic: string; readonly reason: string }) =>
      `a message for ${topic} cannot be sent: ${reason}`,
    hint: 'Topic is text, key, value and header values are text, Buffer or null, partition and timestamp whole numbers.',
  },
  MR_PRODUCER_MESSAGE_TOO_LARGE: {
    class: 'UsageError',
    retriable: false,
    message: ({
      topic,
      bytes,
      limit,
    }: {
      readonly topic: string
      readonly bytes: number
      /** Null: the topic's own limit, which the broker did not name. */
      readonly limit: number | null
    }) =>
      `a message of ${bytes} bytes does not fit ${topic}, which takes ${limit === null ? 'less' : limit}`,
    hint: 'Send a reference to the body, or raise maxMessageBytes here and max.message.bytes on the topic.',
  },
  MR_PRODUCER_BUFFER_FULL: {
    class: 'TimeoutError',
    retriable: true,
    message: ({
      topic,
      bufferBytes,
      waitedMs,
    }: {
      readonly topic: string
      readonly bufferBytes: number
      readonly waitedMs: number
    }) =>
      `a message for ${topic} found no room in the ${bufferBytes} bytes of the buffer within ${waitedMs} ms`,
    hint: 'The brokers take messages more slowly than they are sent. Await sends, send less, or raise bufferBytes.',
  },
  MR_PRODUCER_EXPIRED: {
    class: 'TimeoutError',
    retriable: true,
    message: ({
      topic,
      partition,
      timeoutMs,
      reason,
    }: {
      readonly topic: string
      readonly partition: number
      readonly timeoutMs: number
      readonly reason: string
    }) => `a message for ${topic}/${partition} was not written within ${timeoutMs} ms: ${reason}`,
    hint: 'It is not in the log. Check the leader of the partition, then send it again.',
  },
  MR_PRODUCER_OUTCOME_UNKNOWN: {
    class: 'TimeoutError',
    retriable: false, // sent again by the caller it may be there twice
    message: ({
      topic,
      partition,
      timeoutMs,
      reason,
    }: {
      readonly topic: string
      readonly partition: number
      readonly timeoutMs: number
      readonly reason: string
    }) =>
      `a message for ${topic}/${partition} was sent but not acknowledged within ${timeoutMs} ms (${reason}): it may or may not be in the log`,
    hint: 'Send it again only if its reader can stand it twice, or look whether it has arrived.',
  },
  MR_PRODUCER_CLOSED: {
    class: 'UsageError',
    retriable: false,
    message: ({ topic }: { readonly topic: string }) =>
      `a message for ${topic} was not delivered: the producer is closed`,
    hint: 'Await flush or the sends before close, and send nothing after it.',
  },
} as const satisfies ErrorRows
