export default { each: 'nothing of use' }
