"""What a sensor says: GATT layouts, one driver per sensor family, virtual sensors on a software radio."""
