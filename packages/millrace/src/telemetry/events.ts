import { appEvents } from './events/app.ts'
import { brokerEvents } from './events/broker.ts'
import { clientEvents } from './events/client.ts'
import { drainEvents } from './events/drain.ts'
import { failureEvents } from './events/failure.ts'
import { storeEvents } from './events/store.ts'
import { gatewayEvents } from './events/gateway.ts'
import { processEvents } from './events/process.ts'
import { recurringEvents } from './events/recurring.ts'

/**
 * Every event of Millrace, keyed by its camel-case name. Logs, metrics, traces and the dashboard only listen here.
 * The keys are for our code (`events.jobStarted.publish`), the names with dots for everybody (`job.started`).
 */
export const events = {
  ...appEvents,
  ...brokerEvents,
  ...clientEvents,
  ...drainEvents,
  ...failureEvents,
  ...storeEvents,
  ...gatewayEvents,
  ...processEvents,
  ...recurringEvents,
}
