export {
  disconnect,
  scriptedBroker,
  silence,
  type ApiName,
  type Script,
  type ScriptedAnswer,
  type ScriptedBroker,
  type ScriptedBrokerOptions,
  type ScriptedCall,
  type ScriptedRequest,
  type ScriptedTopic,
} from './scripted-broker.ts'
export type { Fault, FaultCall, FaultRule, PausedBroker } from './broker-faults.ts'
export { startTestBroker, type TestBroker, type TestBrokerOptions } from './test-broker.ts'
export {
  driveConsumer,
  type Delivery,
  type Drive,
  type DriveOptions,
  type DrivenLetter,
} from './drive-consumer.ts'
export { watchInvariants, type InvariantWatch } from './watch-invariants.ts'
export { startTestApp, type TestApp, type TestAppOptions, type TestMessage } from './test-app.ts'
