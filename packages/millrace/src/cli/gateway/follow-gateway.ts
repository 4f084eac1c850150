import { events } from '../../telemetry/index.ts'

/** Says what whoever runs a gateway should know, until it is disposed of. */
export function followGateway(tell: (line: string) => void): Disposable {
  // Names come from whoever connects: no control character of theirs reaches a terminal.
  const say = (line: string): void => tell(line.replaceAll(/\p{Cc}/gu, '?'))
  const text = (error: unknown): string => (error instanceof Error ? error.message : String(error))
  const ends = [
    events.gatewayRefused.subscribe(({ address, reason }) =>
      say(`Refused a connection from ${address}: ${reason}`),
    ),
    events.gatewayDisconnected.subscribe(({ client, address, reason }) =>
      say(`Disconnected ${client === address ? address : `${client} (${address})`}: ${reason}`),
    ),
    events.gatewayProtocolError.subscribe(({ client, error }) =>
      say(`${client} sent what is no command (${error})`),
    ),
    events.gatewayPropertyIgnored.subscribe(({ property }) =>
      say(`The property ${property} has no meaning here`),
    ),
    events.gatewayConsumerRefused.subscribe(({ consumer, client, reason }) =>
      say(`Refused consumer ${consumer} of ${client}: ${reason}`),
    ),
    events.gatewayConsumerFailed.subscribe(({ consumer, error }) =>
      say(`Consumer ${consumer}: ${text(error)}`),
    ),
    events.gatewayCommitFailed.subscribe(({ consumer, error }) =>
      say(`Consumer ${consumer} could not commit: ${text(error)}`),
    ),
    events.gatewayTopicMissing.subscribe(({ consumer, topic }) =>
      say(`Consumer ${consumer} waits for the topic ${topic}, which is not there`),
    ),
    events.gatewayTopicsUnknown.subscribe(({ groupId, error }) =>
      say(`Group ${groupId} could not look for topics: ${text(error)}`),
    ),
    events.gatewayDeliveryFailed.subscribe(({ topic, reason }) =>
      say(`A message for ${topic} was not delivered: ${reason}`),
    ),
    events.gatewayUnsent.subscribe(({ messages, topic, file }) =>
      say(
        file === undefined
          ? `${messages} accepted messages are lost; --unsent-dir would have kept them`
          : `${messages} messages for ${topic} are in ${file}: millrace write ${topic} --file ${file}`,
      ),
    ),
    events.gatewayDefect.subscribe(({ command, client, error }) =>
      say(`A defect of the gateway met ${command} of ${client}: ${text(error)}`),
    ),
  ]
  return {
    [Symbol.dispose]() {
      for (const end of ends) end()
    },
  }
}
