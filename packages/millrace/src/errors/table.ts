import { adminErrors } from './rows/admin.ts'
import { appErrors } from './rows/app.ts'
import { brokerErrors } from './rows/broker.ts'
import { cliErrors } from './rows/cli.ts'
import { clientErrors } from './rows/client.ts'
import { configErrors } from './rows/config.ts'
import { drainErrors } from './rows/drain.ts'
import { failureErrors } from './rows/failure.ts'
import { gatewayErrors } from './rows/gateway.ts'
import { processErrors } from './rows/process.ts'
import { protocolErrors } from './rows/protocol.ts'
import { recurringErrors } from './rows/recurring.ts'
import { storageErrors } from './rows/storage.ts'
import { storeErrors } from './rows/store.ts'
import { telemetryErrors } from './rows/telemetry.ts'
import { testingErrors } from './rows/testing.ts'

/** Every error that Millrace throws, by its code. A code never changes its meaning. */
export const errorTable = {
  ...adminErrors,
  ...appErrors,
  ...brokerErrors,
  ...cliErrors,
  ...clientErrors,
  ...configErrors,
  ...drainErrors,
  ...failureErrors,
  ...gatewayErrors,
  ...processErrors,
  ...protocolErrors,
  ...recurringErrors,
  ...storageErrors,
  ...storeErrors,
  ...telemetryErrors,
  ...testingErrors,
}

export type ErrorCode = keyof typeof errorTable

type MessageParameters<C extends ErrorCode> = Parameters<(typeof errorTable)[C]['message']>

/** What a row's message needs to know; an empty object for a row that needs nothing. */
export type ErrorContext<C extends ErrorCode> =
  MessageParameters<C> extends [] ? Readonly<Record<string, never>> : MessageParameters<C>[0]
