terraform {
  required_version = ">= 1.9, < 2.0"

  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = ">= 4.81.0, < 6.0.0"
    }
  }

  # Where the state stands is in infra/environments/*.yml, and comes by -backend-config. No key opens it.
  backend "azurerm" {
    use_azuread_auth = true
  }
}

provider "azurerm" {
  subscription_id                 = var.subscription_id
  storage_use_azuread             = true
  resource_provider_registrations = "none"

  features {
    key_vault {
      purge_soft_delete_on_destroy = false
    }

    # Azure ML and its services add resources of their own, which go with the group.
    resource_group {
      prevent_deletion_if_contains_resources = false
    }

    machine_learning {
      purge_soft_deleted_workspace_on_destroy = true
    }
  }
}

data "azurerm_client_config" "current" {}
