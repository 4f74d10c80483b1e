output "oomdrill" {
  description = "Everything that the module tells; scripts/aws/ reads it."
  value       = module.oomdrill
}
