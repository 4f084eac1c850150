export { brokerOptions, brokerSettings, type BrokerSettings } from './options.ts'
export { startBroker, type Broker, type StartBrokerOptions } from './start-broker.ts'
