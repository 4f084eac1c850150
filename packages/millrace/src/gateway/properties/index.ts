export { sectionFaults } from './check.ts'
export { consumerOptions, type ConsumerOptions } from './consumer-options.ts'
