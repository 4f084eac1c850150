import type { GatewayCore } from '../gateway-core.ts'
import type { ProducePart } from '../produce/index.ts'
import { Topics } from './topics.ts'
import { Waits } from './waits.ts'

/** What streams commands share. */
export interface StreamsCore extends GatewayCore {
  readonly produce: ProducePart
  readonly topics: Topics
  readonly waits: Waits
}

export function streamsCore(core: GatewayCore, produce: ProducePart): StreamsCore {
  return {
    settings: core.settings,
    clock: core.clock,
    client: core.client,
    sessions: core.sessions,
    openClient: (clientId) => core.openClient(clientId),
    // It changes, so it is looked up, never copied.
    get isDraining() {
      return core.isDraining
    },
    produce,
    topics: new Topics(core.client),
    waits: new Waits(core.clock),
  }
}
