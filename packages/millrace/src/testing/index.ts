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
export { startTestBroker, type TestBrokerOptions } from './test-broker.ts'
